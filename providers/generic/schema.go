package main

// programSchema has the properties of a program, see its fields.
const programSchema = `        "command": {
          "description": "the program to run and its arguments; no shell reads them",
          "$ref": "#/$defs/command"
        },
        "workdir": {
          "description": "the directory to run in, below the project directory",
          "type": "string",
          "default": "."
        },
        "env": {
          "description": "variables for the program; they override those of env_files and the user's",
          "$ref": "#/$defs/env"
        },
        "env_files": {
          "description": "dotenv files below the project directory; later ones win",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
`

// schema is the JSON Schema of the configuration. Package embed would be a tenth of
// the module.
const schema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "generic",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "dev": {
      "description": "one command, or several processes",
      "type": "object",
      "additionalProperties": false,
      "oneOf": [{"required": ["command"]}, {"required": ["processes"]}],
      "properties": {
` + programSchema + `        "interactive": {
          "description": "leave Ctrl-C to the program; requires a terminal",
          "type": "boolean",
          "default": false
        },
        "processes": {
          "description": "the processes of the backend, by name",
          "type": "object",
          "minProperties": 1,
          "maxProperties": 16,
          "propertyNames": {"description": "a name has up to 20 letters, digits, _, . and -", "pattern": "^[A-Za-z0-9_.-]{1,20}$"},
          "additionalProperties": {"$ref": "#/$defs/process"}
        }
      }
    },
    "build": {
      "description": "how its image is built",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "dockerfile": {
          "description": "relative to the project directory; default: Dockerfile in the context",
          "type": "string"
        },
        "context": {
          "description": "the directory that is sent to the engine; default: dev.workdir",
          "type": "string"
        },
        "target": {
          "description": "the stage to build; default: the last one",
          "type": "string"
        },
        "args": {
          "description": "values of the Dockerfile's arguments; they are visible in the image, so do not use secrets",
          "type": ["object", "null"],
          "propertyNames": {"description": "a name has no = and no line break", "pattern": "^[^=\\x00\\r\\n]+$"},
          "additionalProperties": {"type": ["string", "number", "boolean"]}
        },
        "labels": {
          "description": "labels of the image",
          "type": ["object", "null"],
          "propertyNames": {"description": "a name has no = and no line break", "pattern": "^[^=\\x00\\r\\n]+$"},
          "additionalProperties": {"type": ["string", "number", "boolean"]}
        },
        "platforms": {
          "description": "the image's platforms, such as linux/arm64",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
        "secrets": {
          "description": "secrets that steps may mount, by their IDs in the Dockerfile",
          "type": ["object", "null"],
          "propertyNames": {"description": "an ID has letters, digits, _, . and -", "pattern": "^[A-Za-z0-9_.-]+$"},
          "additionalProperties": {"$ref": "#/$defs/reference"}
        },
        "cache_from": {
          "description": "references of caches to read",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
        "cache_to": {
          "description": "references of caches to write",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
        "network": {
          "description": "what steps may reach",
          "enum": ["none", "default", "host", ""],
          "default": "default"
        }
      }
    }
  },
  "$defs": {
    "command": {
      "description": "the program to run and its arguments; no shell reads them",
      "type": "array",
      "prefixItems": [{"description": "the program to run", "type": "string", "minLength": 1}],
      "items": {"type": "string"},
      "minItems": 1,
      "examples": [["npm", "run", "dev"]]
    },
    "env": {
      "type": ["object", "null"],
      "additionalProperties": {
        "anyOf": [{"type": ["string", "number", "boolean"]}, {"$ref": "#/$defs/reference"}]
      }
    },
    "reference": {
      "type": "object",
      "additionalProperties": false,
      "required": ["env"],
      "properties": {
        "env": {
          "description": "the variable with the value",
          "type": "string",
          "minLength": 1
        },
        "files": {
          "description": "dotenv files with the variable, below the project directory; later ones win over earlier ones and the environment",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        }
      }
    },
    "process": {
      "type": "object",
      "additionalProperties": false,
      "required": ["command"],
      "properties": {
` + programSchema + `        "once": {
          "description": "the process ends by itself, such as a migration",
          "type": "boolean",
          "default": false
        },
        "depends_on": {
          "description": "what other processes have to be before this one starts",
          "type": "object",
          "additionalProperties": {"enum": ["started", "ready", "done"]}
        },
        "ready": {
          "description": "when the process is ready; without it, when it runs",
          "type": "object",
          "additionalProperties": false,
          "oneOf": [{"required": ["tcp"]}, {"required": ["http"]}, {"required": ["log"]}, {"required": ["exec"]}],
          "properties": {
            "tcp": {
              "description": "a port of this machine that accepts a connection",
              "$ref": "#/$defs/port"
            },
            "http": {
              "description": "a request to this machine that is answered",
              "type": "object",
              "additionalProperties": false,
              "required": ["port"],
              "properties": {
                "port": {"description": "the port", "$ref": "#/$defs/port"},
                "path": {"description": "the path, which begins with /", "type": "string", "pattern": "^/", "default": "/"},
                "status": {
                  "description": "the status of the answer; without it, any below 500",
                  "type": "integer",
                  "minimum": 100,
                  "maximum": 599
                }
              }
            },
            "log": {
              "description": "a regular expression (RE2) that a line of its output matches",
              "type": "string",
              "minLength": 1
            },
            "exec": {
              "description": "a program that succeeds once the process is ready",
              "$ref": "#/$defs/command"
            },
            "timeout": {
              "description": "the time until it has to be ready, such as 90s",
              "type": "string",
              "default": "60s"
            }
          }
        },
        "url": {
          "description": "where the user reaches it, with http:// or https://; shown when all are ready",
          "type": "string",
          "pattern": "^https?://"
        },
        "stop": {
          "description": "how the process is ended",
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "signal": {"description": "the signal that it gets first", "enum": ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"], "default": "SIGTERM"},
            "grace": {
              "description": "the time until it is killed, up to 10s",
              "type": "string",
              "default": "10s"
            }
          }
        },
        "watch": {
          "description": "the files for which the process is restarted when they change",
          "type": "object",
          "additionalProperties": false,
          "required": ["paths"],
          "properties": {
            "paths": {
              "description": "files, directories or patterns, below the project directory",
              "type": "array",
              "items": {"type": "string"},
              "minItems": 1
            },
            "ignore": {
              "description": "those of them that do not count",
              "type": "array",
              "items": {"type": "string"}
            },
            "action": {"description": "what happens then", "enum": ["restart"], "default": "restart"},
            "debounce": {
              "description": "how long nothing has to change first, up to 10s",
              "type": "string",
              "default": "200ms"
            }
          }
        },
        "restart": {
          "description": "whether it is started again when it ends by itself",
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "when": {"description": "after which ends", "enum": ["never", "on-failure", "always"], "default": "never"},
            "max": {
              "description": "how often, until it is restarted by hand or by a change",
              "type": "integer",
              "minimum": 1,
              "maximum": 1000,
              "default": 5
            },
            "backoff": {
              "description": "the pause before the first restart; it doubles with each one",
              "type": "string",
              "default": "1s"
            }
          }
        }
      }
    },
    "port": {
      "type": "integer",
      "minimum": 1,
      "maximum": 65535
    }
  }
}`
