// Package sim is the outside world: what stands on the other side of the portal's wires when nothing real does. It is stricter than the
// real thing where strictness finds our mistakes, and it knows nothing of the portal's own code: only the public formats and names
// (domain/*, adapters/asice and adapters/cms).
//
// Maskinporten issues tokens; Fagsystem is a receiving case system with a scripted character; NyCA makes every certificate and key the
// world needs; Orgnr and Personer name organisations and people that cannot exist. All instants come from an injected clock.
//
// Never let anything real trust what is issued here. The composition refuses it outside demo and --dev.
package sim
