;; Prints in dev, a line of 64 bytes at a time, without end.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\64\00\00\00\40\00\00\00")
  (data (i32.const 100) "and on and on and on and on and on and on and on and on and on \0a")
  (func (export "dev") (result i32)
    (loop $on
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $on))
    (i32.const 0))
  (func (export "describe") (result i32) (i32.const 0))
  (func (export "validate") (result i32) (i32.const 0))
  (func (export "build_docker") (result i32) (i32.const 0)))
