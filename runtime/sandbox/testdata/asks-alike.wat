;; Asks for what reads as something else: letters of other scripts, and in other
;; shapes.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/user" "stagecraft_exec" (func $exec (param i64) (result i64)))
  (memory 1)
  (data (i32.const 0) "{\"ok\":{\"id\":\"asks\",\"version\":\"1.0.\5cu0430\",\"abi\":1,\"capabilities\":{\"exec\":[{\"argv\":[\"n\5cu0440m\",\"ci\"]},{\"argv\":[\"\5cu0441\5cu043e\5cu0440\5cu0443\"]}],\"files\":[\"\5cu8cc7\5cu6599/**\"],\"env\":[\"\5cuff24OMAIN\"]}}}")
  (data (i32.const 1024) "{\"ok\":{}}")
  (data (i32.const 2048) "{\"argv\":[\"true\"]}")

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

  (func (export "describe") (result i32) (call $reply (i32.const 0) (i32.const 192)))
  (func (export "validate") (result i32) (call $reply (i32.const 1024) (i32.const 9)))
  (func (export "build_docker") (result i32) (call $reply (i32.const 1024) (i32.const 9)))
  (func (export "dev") (result i32)
    (drop (call $exec (call $block (i32.const 2048) (i32.const 17))))
    (call $reply (i32.const 1024) (i32.const 9))))
