/** Ways of OTLP that we speak, as OTEL_EXPORTER_OTLP_PROTOCOL names them. */
export const protocols = ['http/protobuf', 'grpc'] as const;
export type Protocol = (typeof protocols)[number];
