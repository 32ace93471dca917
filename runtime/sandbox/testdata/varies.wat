;; Asks for what depends on the clock (validate), on random numbers (build_docker) or
;; on the replies so far (dev). Requests and outputs are letters.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/user" "stagecraft_exec" (func $exec (param i64) (result i64)))
  (import "extism:host/user" "stagecraft_stat" (func $stat (param i64) (result i64)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $state (mut i32) (i32.const 7))

  ;; block makes a block of Extism's memory with 16 letters, for the 8 bytes at 0.
  (func $block (result i64)
    (local $to i64) (local $i i32)
    (local.set $to (call $alloc (i64.const 16)))
    (loop $next
      (call $store_u8
        (i64.add (local.get $to) (i64.extend_i32_u (local.get $i)))
        (i32.add (i32.const 97) (i32.and (i32.const 15)
          (i32.shr_u
            (i32.load8_u (i32.shr_u (local.get $i) (i32.const 1)))
            (i32.shl (i32.and (local.get $i) (i32.const 1)) (i32.const 2))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 16))))
    (local.get $to))

  ;; ask asks with the 8 bytes at 0, for an operation that depends on the state, and
  ;; mixes the reply into the state.
  (func $ask
    (local $reply i64) (local $i i64)
    (local.set $reply
      (if (result i64) (i32.and (global.get $state) (i32.const 1))
        (then (call $exec (call $block)))
        (else (call $stat (call $block)))))
    (loop $next
      (global.set $state (i32.add
        (i32.mul (global.get $state) (i32.const 31))
        (call $load_u8 (i64.add (local.get $reply) (local.get $i)))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $i) (call $length (local.get $reply))))))

  (func $output (result i32)
    (i32.store (i32.const 0) (global.get $state))
    (call $output_set (call $block) (i64.const 16))
    (i32.const 0))

  (func (export "describe") (result i32) (call $output))
  (func (export "validate") (result i32)
    (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 0)))
    (call $ask)
    (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 0)))
    (call $ask)
    (call $output))
  (func (export "build_docker") (result i32)
    (drop (call $random (i32.const 0) (i32.const 8)))
    (call $ask)
    (drop (call $random (i32.const 0) (i32.const 8)))
    (call $ask)
    (call $output))
  (func (export "dev") (result i32)
    (loop $next
      (i32.store (i32.const 0) (global.get $state))
      (call $ask)
      ;; A third of the states ask again.
      (br_if $next (i32.eqz (i32.rem_u (global.get $state) (i32.const 3)))))
    (call $output)))
