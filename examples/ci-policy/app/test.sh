# A placeholder for a project's tests.
test -s message.txt && cat message.txt
