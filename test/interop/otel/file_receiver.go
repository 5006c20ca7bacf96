package main

import (
	"bufio"
	"context"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
)

// Reads a file of OTLP JSON once, a request on each line. It stands in for contrib's otlpjsonfile receiver, whose module the
// public proxy does not hold for this release: both give each line to ptrace.JSONUnmarshaler.
type fileConfig struct {
	Path string `mapstructure:"path"`
}

func newFileFactory() receiver.Factory {
	return receiver.NewFactory(
		component.MustNewType("jsonlines"),
		func() component.Config { return &fileConfig{} },
		receiver.WithTraces(newFileReceiver, component.StabilityLevelDevelopment),
	)
}

type fileReceiver struct {
	path string
	next consumer.Traces
}

func newFileReceiver(_ context.Context, _ receiver.Settings, config component.Config, next consumer.Traces) (receiver.Traces, error) {
	return &fileReceiver{path: config.(*fileConfig).Path, next: next}, nil
}

func (r *fileReceiver) Start(_ context.Context, host component.Host) error {
	go func() {
		if err := r.read(context.Background()); err != nil {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	}()
	return nil
}

func (r *fileReceiver) Shutdown(context.Context) error { return nil }

func (r *fileReceiver) read(ctx context.Context) error {
	file, err := os.Open(r.path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(lines.Bytes())
		if err != nil {
			return err
		}
		if err := r.next.ConsumeTraces(ctx, traces); err != nil {
			return err
		}
	}
	return lines.Err()
}
