package producerapi_test

import (
	"encoding/json"
	"io"
)

// strengt decodes as KS's Java client does: an unknown member is an error.
func strengt(r *rigg, b io.Reader, til any) {
	r.Helper()
	d := json.NewDecoder(b)
	d.DisallowUnknownFields()
	r.NoErr(d.Decode(til))
}
