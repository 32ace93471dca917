# Completes stagecraft in PowerShell. Written by: stagecraft completion powershell

Register-ArgumentCompleter -Native -CommandName stagecraft -ScriptBlock {
    param($current, $line, $position)
    $words = @($line.CommandElements | Select-Object -Skip 1 |
            Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { $_.Extent.Text })
    $program = $line.CommandElements[0].Extent.Text
    $mode, $lines = & $program __complete "=$current" @words 2>$null
    foreach ($text in $lines) {
        $value, $about = $text -split "`t", 2
        if (-not $about) { $about = $value } # a result needs a description
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
    # Without a result, PowerShell completes files.
    if ($mode -notmatch '^(files|directories)' -and -not $lines) { '' }
}
