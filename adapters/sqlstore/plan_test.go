package sqlstore_test
import ("testing";"portal.example/bekymringsmelding/contracts")
func TestPlan(t *testing.T){ hver(t, func(t *testing.T, ny func(t testing.TB) *rigg){
 r:=ny(t); fyll(t,r,100000); r.exec(t,"DELETE FROM oppdrag"); r.exec(t,"UPDATE melding SET tilstand = 'LEVERT'"); contracts.Lagre(t, r.lager(), contracts.NyMelding(t))
 q:=`SELECT m.id FROM melding m WHERE m.tilstand <> 'LEVERT' AND (
  NOT EXISTS (SELECT 1 FROM oppdrag o WHERE o.melding = m.id)
    AND NOT EXISTS (SELECT 1 FROM sak s WHERE s.melding = m.id AND s.lukket IS NULL)
  OR m.tilstand IN ('AKSEPTERT', 'SENDT_FAGSYSTEM') AND NOT m.brev_bestilt
    AND NOT EXISTS (SELECT 1 FROM oppdrag o WHERE o.melding = m.id AND o.ko = 'frist'))
UNION
SELECT a.melding FROM apent_forsok a
  WHERE NOT EXISTS (SELECT 1 FROM oppdrag o WHERE o.melding = a.melding AND (o.forsok = a.forsok OR a.art = 'sending' AND o.ko = 'send'))
    AND NOT EXISTS (SELECT 1 FROM sak s WHERE s.melding = a.melding AND s.lukket IS NULL)
ORDER BY 1 LIMIT 10`
 for _, an := range []bool{false,true} {
 if an { r.exec(t,"ANALYZE") }
 pre:="EXPLAIN QUERY PLAN "; if r.param("?")=="$" {pre="EXPLAIN ANALYZE "}
 rows,err:=r.raa.Query(pre+q); if err!=nil {t.Fatal(err)}
 for rows.Next(){ var a,b,c any; var s string; if pre=="EXPLAIN ANALYZE " { rows.Scan(&s) } else {rows.Scan(&a,&b,&c,&s)}; t.Log(s)}
 }
})}
