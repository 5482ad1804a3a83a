# Every recipe is one plain line that also works pasted into a shell. `npx rust-just <recipe>` runs them without installing just.

demo *args:
    scripts/demo {{args}}

test *args:
    scripts/test {{args}}

lint:
    go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

# KS's Java libraries against the demo (JDK 17, Maven)
interop:
    scripts/interop

bench:
    BENK=full go test -run '^$' -bench . -benchtime 3x -timeout 60m ./acceptance/bench/... ./adapters/cms ./adapters/asice

# Rewrites what is generated and guarded by a diff test: OpenAPI and docs/tilstander.md
oppdater:
    OPPDATER=1 go test ./adapters/producerapi/... ./cmd/meldingctl/... ./acceptance -run 'OpenAPI|Tilstander|Oppdater'

fuzz pakke mal tid="60s":
    go test -run '^$' -fuzz '^{{mal}}$' -fuzztime {{tid}} {{pakke}}

# The long loops with a bigger N: 200 kills, RabbitMQ away for a minute under load, every scenario swept over HTTP too. Hours
lenge:
    DRAP=200 STANS=60s SVEIP=full go test -timeout 6h -run 'Kill|RabbitMQDown|EveryWrite' ./acceptance
