From alpine As x
Run true
CoPy a b
ENV a=b
fROM x
