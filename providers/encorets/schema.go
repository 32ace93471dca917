package main

// schema is the JSON Schema of the configuration. Package embed would be a tenth of the
// module.
const schema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "encore-ts",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "dev": {
      "description": "how the app runs for development",
      "type": "object",
      "additionalProperties": false,
      "required": ["entrypoint"],
      "properties": {
        "entrypoint": {
          "description": "the directory to run in, below the project directory, at or below one with an encore.app",
          "type": "string",
          "minLength": 1,
          "examples": ["./backend"]
        },
        "listen": {
          "description": "the address of the API: an IP address or localhost, and a port",
          "type": "string",
          "default": "127.0.0.1:4000"
        },
        "env_from": {
          "description": "dotenv files for the app, below the project directory; later ones win",
          "type": ["array", "null"],
          "items": {"type": "string", "minLength": 1}
        },
        "secrets": {
          "description": "secrets that are set before the app runs",
          "type": "object",
          "additionalProperties": false,
          "if": {"required": ["from_env"], "properties": {"from_env": {"type": "array", "minItems": 1}}},
          "then": {
            "required": ["types"],
            "properties": {"types": {"description": "the environments to set them for", "type": "array", "minItems": 1, "examples": [["local"]]}}
          },
          "properties": {
            "types": {
              "description": "the environments to set them for",
              "type": ["array", "null"],
              "items": {"enum": ["dev", "development", "ephemeral", "local", "pr", "preview", "prod", "production"]}
            },
            "from_env": {
              "description": "the variables with their values, from env_from or the environment; the secrets have the same names",
              "type": ["array", "null"],
              "items": {"description": "the name of a variable", "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
              "uniqueItems": true
            },
            "required": {
              "description": "whether dev fails if the secrets cannot be set without a login or the network",
              "type": ["boolean", "null"],
              "default": true
            }
          }
        },
        "disable_telemetry": {
          "description": "disable encore's telemetry",
          "type": ["boolean", "null"],
          "default": true
        },
        "node_extra_ca_certs": {
          "description": "a file of further certificates for Node.js, below the project directory",
          "type": "string"
        },
        "ready_timeout": {
          "description": "how long the app may need to be ready",
          "type": "string",
          "default": "60s"
        },
        "watch": {
          "description": "whether to rebuild the app when its files change; default: encore's own, which is true without debug",
          "type": ["boolean", "null"]
        },
        "namespace": {
          "description": "the infrastructure namespace to run in; default: the active one",
          "type": "string",
          "pattern": "^(?:$|[^-])",
          "examples": ["feature-x"]
        },
        "level": {
          "description": "the lowest level of logs to show; default: encore's own",
          "enum": ["trace", "debug", "info", "warn", "error", ""]
        },
        "debug": {
          "description": "compile for a debugger; with break, wait for one before the app starts",
          "enum": [true, false, "break", "enabled", "", null],
          "default": false
        },
        "browser": {
          "description": "whether to open the development dashboard in a browser",
          "enum": ["auto", "never", "always", ""],
          "default": "never"
        }
      }
    },
    "build": {
      "description": "how its image is built",
      "type": "object",
      "additionalProperties": false,
      "if": {"required": ["config"], "properties": {"config": {"type": "string", "minLength": 1}}},
      "then": {"properties": {"skip_config": {"description": "excludes build.config: leave one of the two out", "const": false}}},
      "properties": {
        "workdir": {
          "description": "the directory to build in; default: dev.entrypoint, else the project directory",
          "type": "string"
        },
        "image_name": {
          "description": "replaces the name in the image's reference: lower-case letters and digits, with single . _ or - between them",
          "type": "string",
          "pattern": "^(?:[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*)?$"
        },
        "docker_tag_suffix": {
          "description": "is appended to the tag of the image's reference: letters, digits, . _ and -",
          "type": "string",
          "pattern": "^[A-Za-z0-9_.-]{0,100}$",
          "default": ""
        },
        "config": {
          "description": "the infrastructure configuration of the image, below the project directory",
          "type": "string"
        },
        "skip_config": {
          "description": "build without an infrastructure configuration",
          "type": "boolean",
          "default": false
        },
        "base": {
          "description": "the image to build on",
          "type": "string"
        },
        "arch": {
          "description": "the architecture of the image",
          "enum": ["amd64", "arm64", ""],
          "default": "amd64"
        },
        "push": {
          "description": "push the image",
          "type": "boolean",
          "default": false
        },
        "services": {
          "description": "the services in the image; default: all",
          "type": ["array", "null"],
          "items": {"description": "a name has no blanks, commas and quotes, and no - at its start", "type": "string", "pattern": "^[^-, \\t\\r\\n\"][^, \\t\\r\\n\"]*$"},
          "uniqueItems": true
        },
        "gateways": {
          "description": "the gateways in the image; default: all",
          "type": ["array", "null"],
          "items": {"description": "a name has no blanks, commas and quotes, and no - at its start", "type": "string", "pattern": "^[^-, \\t\\r\\n\"][^, \\t\\r\\n\"]*$"},
          "uniqueItems": true
        }
      }
    }
  }
}`
