package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/matryer/is"
)

var engelsk = regexp.MustCompile(`\b(Usage|Flags?|Arguments?|Commands?|command|Show|Run|STRING|INT|BOOL|DURATION|help for)\b`)

func TestEveryHelpPageIsInBokmal(t *testing.T) {
	is := is.New(t)
	type ferdig struct{}
	var ut bytes.Buffer
	p, err := nyParser(kong.Writers(&ut, &ut), kong.Exit(func(int) { panic(ferdig{}) }))
	is.NoErr(err)
	sider := [][]string{{"--help"}}
	for _, n := range p.Model.Leaves(false) {
		sider = append(sider, append(strings.Fields(n.Path()), "--help"))
	}
	is.Equal(len(sider), 11)
	for _, args := range sider {
		ut.Reset()
		func() {
			defer func() {
				if r := recover(); r != nil {
					if _, ok := r.(ferdig); !ok {
						panic(r)
					}
				}
			}()
			_, err = p.Parse(args)
			is.NoErr(err)
		}()
		is.True(strings.HasPrefix(ut.String(), "Bruk: portal"))
		if funn := engelsk.FindAllString(ut.String(), -1); len(funn) > 0 {
			t.Errorf("portal %v: %q\n%s", args, funn, ut.String())
		}
	}
}
