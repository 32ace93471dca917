{"id": "stagecraft-example-ab12"}
