FROM --platform=linux/amd64 alpine
FROM --platform=linux/arm/v7 alpine
FROM --platform=windows/amd64 mcr.microsoft.com/windows/nanoserver
