include src/wire/caaa.mk
