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
      "type": "object",
      "additionalProperties": false,
      "required": ["entrypoint"],
      "properties": {
        "entrypoint": {
          "description": "the directory to run in, below the project directory, at or below one with an encore.app",
          "type": "string"
        },
        "listen": {
          "description": "the address of the API: an IP address or localhost, and a port",
          "type": "string",
          "default": "127.0.0.1:4000"
        },
        "env_from": {
          "description": "dotenv files for the app, below the project directory; later ones win",
          "type": "array",
          "items": {"type": "string"}
        },
        "secrets": {
          "description": "secrets that are set before the app runs",
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "types": {
              "description": "the environments to set them for",
              "type": "array",
              "items": {"enum": ["development", "dev", "production", "prod", "preview", "pr", "ephemeral", "local"]}
            },
            "from_env": {
              "description": "the variables with their values, from env_from or the environment; the secrets have the same names",
              "type": "array",
              "items": {"type": "string"}
            },
            "required": {
              "description": "whether dev fails if the secrets cannot be set without a login or the network",
              "type": "boolean",
              "default": true
            }
          }
        },
        "disable_telemetry": {
          "description": "disable encore's telemetry",
          "type": "boolean",
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
          "description": "whether to rebuild the app when its files change",
          "type": "boolean",
          "default": "encore's own: true, and false with debug"
        },
        "namespace": {
          "description": "the infrastructure namespace to run in",
          "type": "string",
          "default": "the active one"
        },
        "level": {
          "description": "the lowest level of logs to show",
          "enum": ["trace", "debug", "info", "warn", "error"],
          "default": "encore's own"
        },
        "debug": {
          "description": "compile for a debugger; with break, wait for one before the app starts",
          "enum": [true, false, "enabled", "break"],
          "default": false
        },
        "browser": {
          "description": "whether to open the development dashboard in a browser",
          "enum": ["auto", "never", "always"],
          "default": "never"
        }
      }
    },
    "build": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "workdir": {
          "description": "the directory to build in",
          "type": "string",
          "default": "dev.entrypoint, else the project directory"
        },
        "image_name": {
          "description": "replaces the name in the image's reference",
          "type": "string"
        },
        "docker_tag_suffix": {
          "description": "is appended to the tag of the image's reference",
          "type": "string",
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
          "enum": ["amd64", "arm64"],
          "default": "amd64"
        },
        "push": {
          "description": "push the image",
          "type": "boolean",
          "default": false
        },
        "services": {
          "description": "the services in the image",
          "type": "array",
          "items": {"type": "string"},
          "default": "all"
        },
        "gateways": {
          "description": "the gateways in the image",
          "type": "array",
          "items": {"type": "string"},
          "default": "all"
        }
      }
    }
  }
}`
