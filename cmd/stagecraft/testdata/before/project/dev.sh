cat app/message
