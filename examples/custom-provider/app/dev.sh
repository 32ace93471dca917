echo "Hello from $(basename "$PWD"), run by my-provider"
