;; A provider by what its sections show: 80 bytes, with as many locals in one
;; function as are allowed, which cost whoever compiles it. As text they would be
;; 50,000 words, so this is the binary form.
(module binary
  "\00asm" "\01\00\00\00"
  ;; types: () -> i32
  "\01\08\02\60\00\01\7f\60\00\00"
  ;; functions: one of the first type
  "\03\02\01\00"
  ;; exports: four names of the one function
  "\07\2c\04"
  "\08describe\00\00" "\08validate\00\00" "\03dev\00\00" "\0cbuild_docker\00\00"
  ;; code: 50,000 locals of type i32, then i32.const 0
  "\0a\0a\01\08\01\d0\86\03\7f\41\00\0b")
