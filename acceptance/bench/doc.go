// Package bench measures the portal against what the work cannot do without: every benchmark runs its floor (the same bytes through
// the standard library, or the same rows through the raw driver) in the same run, in turn with what it measures, and reports the
// ratio. Times alone say more about the machine than about us. The figures are in docs/ytelse.md.
//
// BENK=full runs the sizes that the targets name; without it, smaller ones. TestKort runs everything once, tiny, and asserts no time.
package bench
