;; Runs sh dev.sh in dev; in build_docker it runs echo built, and then builds the
;; directory app. Which version of the program wrote files of it stands in README.md.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/user" "stagecraft_exec" (func $exec (param i64) (result i64)))
  (import "extism:host/user" "stagecraft_docker_build" (func $build (param i64) (result i64)))
  (memory 1)
  (data (i32.const 0) "{\"ok\":{\"id\":\"maker\",\"version\":\"1.0.0\",\"abi\":1,\"capabilities\":{\"exec\":[{\"argv\":[\"sh\",\"dev.sh\"]},{\"argv\":[\"echo\",\"*\"]}],\"build\":[{\"context_from\":[\"/context\"]}],\"env\":[\"DOMAIN\"]}}}")
  (data (i32.const 1024) "{\"ok\":{}}")
  (data (i32.const 1536) "{\"ok\":{\"image\":\"registry.example/acme/shop:1\"}}")
  (data (i32.const 2048) "{\"argv\":[\"sh\",\"dev.sh\"]}")
  (data (i32.const 3072) "{\"argv\":[\"echo\",\"built\"]}")
  (data (i32.const 4096) "{\"context\":\"app\",\"tags\":[\"registry.example/acme/shop:1\"]}")

  ;; block copies len bytes at from into a block of Extism's memory.
  (func $block (param $from i32) (param $len i32) (result i64)
    (local $to i64) (local $i i32)
    (local.set $to (call $alloc (i64.extend_i32_u (local.get $len))))
    (loop $next
      (call $store_u8
        (i64.add (local.get $to) (i64.extend_i32_u (local.get $i)))
        (i32.load8_u (i32.add (local.get $from) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $len))))
    (local.get $to))

  (func $reply (param $from i32) (param $len i32) (result i32)
    (call $output_set (call $block (local.get $from) (local.get $len)) (i64.extend_i32_u (local.get $len)))
    (i32.const 0))

  (func (export "describe") (result i32) (call $reply (i32.const 0) (i32.const 177)))
  (func (export "validate") (result i32) (call $reply (i32.const 1024) (i32.const 9)))
  (func (export "dev") (result i32)
    (drop (call $exec (call $block (i32.const 2048) (i32.const 24))))
    (call $reply (i32.const 1024) (i32.const 9)))
  (func (export "build_docker") (result i32)
    (drop (call $exec (call $block (i32.const 3072) (i32.const 25))))
    (drop (call $build (call $block (i32.const 4096) (i32.const 57))))
    (call $reply (i32.const 1536) (i32.const 47))))
