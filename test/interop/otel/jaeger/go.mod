module tallystick/test/interop/otel/jaeger

go 1.26
