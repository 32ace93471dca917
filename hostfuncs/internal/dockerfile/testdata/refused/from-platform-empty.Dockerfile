FROM --platform=$NOTHING alpine
