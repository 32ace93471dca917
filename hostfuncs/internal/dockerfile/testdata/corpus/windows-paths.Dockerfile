# escape=`
FROM mcr.microsoft.com/windows/servercore:ltsc2022
ENV chocolateyUseWindowsCompression=false
RUN powershell -Command `
    iex ((new-object net.webclient).DownloadString('https://example.com/install.ps1'))
USER ContainerAdministrator
ADD sample.tar.gz C:/data/
