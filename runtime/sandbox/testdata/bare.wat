;; Has no function that a provider has.
(module)
