;; Describes itself with the reply in its data, after its length in 4 bytes. Tests replace the
;; data, see clitest.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory 200)

  ;; reply copies len bytes at from into a block of Extism's memory, eight at once.
  (func $reply (param $from i32) (param $len i32) (result i32)
    (local $to i64) (local $i i32)
    (local.set $to (call $alloc (i64.extend_i32_u (i32.add (local.get $len) (i32.const 8)))))
    (loop $next
      (call $store_u64
        (i64.add (local.get $to) (i64.extend_i32_u (local.get $i)))
        (i64.load (i32.add (local.get $from) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $len))))
    (call $output_set (local.get $to) (i64.extend_i32_u (local.get $len)))
    (i32.const 0))

  ;; ok replies {"ok":{}}.
  (func $ok (result i32)
    (local $to i64)
    (local.set $to (call $alloc (i64.const 16)))
    (call $store_u64 (local.get $to) (i64.const 0x7d7b3a226b6f227b))
    (call $store_u8 (i64.add (local.get $to) (i64.const 8)) (i32.const 0x7d))
    (call $output_set (local.get $to) (i64.const 9))
    (i32.const 0))

  (func (export "describe") (result i32) (call $reply (i32.const 4) (i32.load (i32.const 0))))
  (func (export "validate") (result i32) (call $ok))
  (func (export "build_docker") (result i32) (call $ok))
  (func (export "dev") (result i32) (call $ok))
  (data (i32.const 0) "\41\00\00\00{\"ok\":{\"id\":\"described\",\"version\":\"1\",\"abi\":1,\"capabilities\":{}}}"))
