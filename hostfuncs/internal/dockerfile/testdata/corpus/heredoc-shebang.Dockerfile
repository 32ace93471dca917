FROM python:3
RUN <<EOF
#!/usr/bin/env python
print("FROM x")
EOF
