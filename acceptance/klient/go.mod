module portal.example/bekymringsmelding/acceptance/klient

go 1.26.0

require (
	github.com/google/uuid v1.6.0
	github.com/matryer/is v1.4.1
	github.com/oapi-codegen/runtime v1.8.0
	portal.example/bekymringsmelding v0.0.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/danielgtaylor/huma/v2 v2.37.2 // indirect
	golang.org/x/time v0.14.0 // indirect
)

replace portal.example/bekymringsmelding => ../..
