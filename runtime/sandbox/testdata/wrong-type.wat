;; Imports an operation with another type.
(module (import "extism:host/user" "stagecraft_exec" (func (param i32)))
  (func (export "describe") (result i32) (i32.const 0)) (func (export "validate") (result i32) (i32.const 0))
  (func (export "dev") (result i32) (i32.const 0)) (func (export "build_docker") (result i32) (i32.const 0)))
