package plattform

// Feilkodenavn lists every error code.
func Feilkodenavn() (ut []string) {
	for _, k := range alleFeilkoder {
		ut = append(ut, k.kode)
	}
	return ut
}

// LesMetadata reads metadata for the fuzz test and gives back what a caller would see of it.
func LesMetadata(b []byte) (avsender, mottaker, slag string, headere map[string]string, ok bool) {
	m, err := lesMetadata(b, Lempelig{})
	return m.avsender, m.mottaker, m.meldingstype, m.headere, err == nil
}
