package melding

// Referanseslagene is the table, so that a kind left out of it is told from one without a reference.
func Referanseslagene() map[Kode]Referanseslag { return referanser }
