-- Facts of a report (never updated: see the trigger) and, beside them, the derived row that follows from its history.
-- Instants are integer µs since 1970 in UTC everywhere.
CREATE TABLE IF NOT EXISTS melding (
  id              TEXT PRIMARY KEY,
  slag            TEXT NOT NULL,
  versjon         INTEGER NOT NULL,
  kilde           TEXT NOT NULL,
  fra_fiks_org_id TEXT NOT NULL,
  fra_orgnr       TEXT NOT NULL,
  integrasjon_id  TEXT NOT NULL,
  til_fiks_org_id TEXT NOT NULL,
  kommune         TEXT NOT NULL,
  bydel           TEXT NOT NULL,
  ressurs_id      TEXT NOT NULL,
  fakta_kanal     TEXT NOT NULL,
  konto_id        TEXT NOT NULL,
  innsendt        BIGINT NOT NULL,
  frist           BIGINT NOT NULL,
  oppbevar        BIGINT NOT NULL,
  mulig_dublett   TEXT NOT NULL,
  utlopt_print    BOOLEAN NOT NULL,
  deler           TEXT NOT NULL,
  sha_asice       BLOB,
  sha_pdf         BLOB,
  str_asice       BIGINT NOT NULL,
  str_pdf         BIGINT NOT NULL,
  tilstand        TEXT NOT NULL,
  kanal           TEXT NOT NULL,
  endret          BIGINT NOT NULL,
  brev_bestilt    BOOLEAN NOT NULL,
  slettet         BOOLEAN NOT NULL
);
-- D10: byte-identical parts from the same sender to the same receiver are one report while the first's content is kept.
CREATE UNIQUE INDEX IF NOT EXISTS melding_like_deler ON melding (fra_fiks_org_id, ressurs_id, slag, versjon, sha_asice, sha_pdf) WHERE NOT slettet;
CREATE INDEX IF NOT EXISTS melding_lik ON melding (fra_fiks_org_id, slag, str_asice, str_pdf, innsendt, id);
CREATE INDEX IF NOT EXISTS melding_mottaker ON melding (ressurs_id, id);
CREATE INDEX IF NOT EXISTS melding_gruppe ON melding (tilstand, kanal);
-- What is not delivered is few; "always owed" and the oldest report look at nothing else.
CREATE INDEX IF NOT EXISTS melding_ulevert ON melding (innsendt, id) WHERE tilstand <> 'LEVERT';

-- Every Idempotency-Key a sender has used, as its SHA-256: a sender may put anything in one. The first report to use a key keeps it.
CREATE TABLE IF NOT EXISTS idempotensnokkel (
  fra_fiks_org_id TEXT NOT NULL,
  sum             BLOB NOT NULL,
  melding         TEXT NOT NULL REFERENCES melding (id),
  PRIMARY KEY (fra_fiks_org_id, sum)
);

CREATE TABLE IF NOT EXISTS hendelse (
  melding      TEXT NOT NULL REFERENCES melding (id),
  sekvens      INTEGER NOT NULL,
  tidspunkt    BIGINT NOT NULL,
  art          TEXT NOT NULL,
  tilstand     TEXT NOT NULL,
  kode         TEXT NOT NULL,
  kanal        TEXT NOT NULL,
  aktor        TEXT NOT NULL,
  meldingstype TEXT NOT NULL,
  referanse    TEXT NOT NULL,
  konto_id     TEXT NOT NULL,
  forsok       TEXT NOT NULL,
  arsak        TEXT NOT NULL,
  grunn        TEXT NOT NULL,
  del          TEXT NOT NULL,
  PRIMARY KEY (melding, sekvens)
);

-- Sealed parts. Erasure leaves the row, so that an erased part is known from one that never was.
CREATE TABLE IF NOT EXISTS del (
  melding    TEXT NOT NULL REFERENCES melding (id),
  del        TEXT NOT NULL,
  storrelse  BIGINT NOT NULL,
  sha256     BLOB NOT NULL,
  forsegling TEXT NOT NULL,
  innhold    BLOB,
  PRIMARY KEY (melding, del)
);

-- Owed work. klar is when the item can be claimed: forfall at first, the end of the lease while token is set, then what Release says.
CREATE TABLE IF NOT EXISTS oppdrag (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  ko         TEXT NOT NULL,
  melding    TEXT REFERENCES melding (id),
  forfall    BIGINT NOT NULL,
  klar       BIGINT NOT NULL,
  token      TEXT,
  antall     INTEGER NOT NULL,
  arsak      TEXT NOT NULL,
  forsok     TEXT NOT NULL,
  runde      INTEGER NOT NULL,
  last       TEXT NOT NULL,
  forsegling TEXT NOT NULL,
  innhold    BLOB
);
CREATE INDEX IF NOT EXISTS oppdrag_ko ON oppdrag (ko, klar, seq);
CREATE INDEX IF NOT EXISTS oppdrag_uten_melding ON oppdrag (ko, klar, seq) WHERE melding IS NULL;
CREATE INDEX IF NOT EXISTS oppdrag_melding ON oppdrag (melding, seq);
CREATE INDEX IF NOT EXISTS oppdrag_laant ON oppdrag (melding, klar) WHERE token IS NOT NULL;
-- Ids that came through Work.Add or Store.Settle: an answer redelivered after it was settled is recognised here.
CREATE TABLE IF NOT EXISTS oppdrag_sett (
  id TEXT PRIMARY KEY
);

-- Attempts begun and not ended, as the history tells it: what Breaches looks at beside the reports that are not delivered.
CREATE TABLE IF NOT EXISTS apent_forsok (
  melding TEXT NOT NULL REFERENCES melding (id),
  forsok  TEXT NOT NULL,
  art     TEXT NOT NULL,
  PRIMARY KEY (melding, forsok)
);

CREATE TABLE IF NOT EXISTS sak (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  id        TEXT NOT NULL UNIQUE,
  melding   TEXT REFERENCES melding (id),
  art       TEXT NOT NULL,
  kritisk   BOOLEAN NOT NULL,
  apnet     BIGINT NOT NULL,
  frist     BIGINT NOT NULL,
  lukket    BIGINT,
  lukket_av TEXT NOT NULL,
  grunn     TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sak_melding ON sak (melding, seq);
CREATE INDEX IF NOT EXISTS sak_apen ON sak (apnet) WHERE lukket IS NULL;
CREATE INDEX IF NOT EXISTS sak_apnet ON sak (apnet);

CREATE TABLE IF NOT EXISTS referanse (
  ref     TEXT PRIMARY KEY,
  melding TEXT NOT NULL REFERENCES melding (id)
);

CREATE TABLE IF NOT EXISTS merke (
  navn  TEXT PRIMARY KEY,
  verdi TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS sertifikat (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  eier_art   TEXT NOT NULL,
  eier_id    TEXT NOT NULL,
  sha256     BLOB NOT NULL,
  der        BLOB NOT NULL,
  annonsert  BIGINT NOT NULL,
  erstattet  BIGINT,
  trukket    BIGINT,
  grunn      TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS sertifikat_ett ON sertifikat (eier_art, eier_id, sha256);
CREATE UNIQUE INDEX IF NOT EXISTS sertifikat_gjeldende ON sertifikat (eier_art, eier_id) WHERE erstattet IS NULL AND trukket IS NULL;

CREATE TABLE IF NOT EXISTS organisasjon (
  fiks_org_id TEXT PRIMARY KEY,
  orgnr       TEXT NOT NULL,
  navn        TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS kommune (
  nummer       TEXT PRIMARY KEY,
  navn         TEXT NOT NULL,
  fylke        TEXT NOT NULL,
  fylke_navn   TEXT NOT NULL,
  fiks_org_id  TEXT NOT NULL,
  organisasjon TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS mottaker (
  ressurs_id        TEXT PRIMARY KEY,
  kommunenummer     TEXT NOT NULL,
  bydelsnummer      TEXT NOT NULL,
  navn              TEXT NOT NULL,
  standard_mottaker BOOLEAN NOT NULL,
  versjon           INTEGER NOT NULL,
  aktiv             BOOLEAN NOT NULL,
  kommunenavn       TEXT NOT NULL,
  fiks_org_id       TEXT NOT NULL,
  orgnr             TEXT NOT NULL,
  kanal             TEXT NOT NULL,
  konto_id          TEXT NOT NULL,
  konto_aktiv       BOOLEAN NOT NULL,
  adresse           TEXT NOT NULL,
  frist_sekunder    INTEGER NOT NULL,
  oppbevar_dager    INTEGER NOT NULL,
  tar_gcm           BOOLEAN NOT NULL
);
CREATE INDEX IF NOT EXISTS mottaker_kommune ON mottaker (kommunenummer, bydelsnummer);
CREATE TABLE IF NOT EXISTS integrasjon (
  id          TEXT PRIMARY KEY,
  orgnr       TEXT NOT NULL,
  passord_mac BLOB,
  aktiv       BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS tilgang (
  integrasjon TEXT NOT NULL,
  org         TEXT NOT NULL,
  tilgang     TEXT NOT NULL,
  PRIMARY KEY (integrasjon, org, tilgang)
);

-- What has changed of the tables that intake judges by: who holds an answer made at this number may use it again. Triggers, so that
-- a change made by hand counts too.
CREATE TABLE IF NOT EXISTS katalogversjon (
  nr BIGINT NOT NULL
);
INSERT INTO katalogversjon (nr) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM katalogversjon);
CREATE TRIGGER IF NOT EXISTS organisasjon_ny AFTER INSERT ON organisasjon BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS organisasjon_endret AFTER UPDATE ON organisasjon BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS organisasjon_borte AFTER DELETE ON organisasjon BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS kommune_ny AFTER INSERT ON kommune BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS kommune_endret AFTER UPDATE ON kommune BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS kommune_borte AFTER DELETE ON kommune BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS mottaker_ny AFTER INSERT ON mottaker BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS mottaker_endret AFTER UPDATE ON mottaker BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS mottaker_borte AFTER DELETE ON mottaker BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS integrasjon_ny AFTER INSERT ON integrasjon BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS integrasjon_endret AFTER UPDATE ON integrasjon BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS integrasjon_borte AFTER DELETE ON integrasjon BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS tilgang_ny AFTER INSERT ON tilgang BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS tilgang_endret AFTER UPDATE ON tilgang BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS tilgang_borte AFTER DELETE ON tilgang BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS sertifikat_ny AFTER INSERT ON sertifikat BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS sertifikat_endret AFTER UPDATE ON sertifikat BEGIN UPDATE katalogversjon SET nr = nr + 1; END;
CREATE TRIGGER IF NOT EXISTS sertifikat_borte AFTER DELETE ON sertifikat BEGIN UPDATE katalogversjon SET nr = nr + 1; END;

-- History is append-only, and facts are fixed, for everybody with this file in hand.
CREATE TRIGGER IF NOT EXISTS hendelse_endres_ikke BEFORE UPDATE ON hendelse
BEGIN SELECT RAISE(ABORT, 'en hendelse endres aldri'); END;
CREATE TRIGGER IF NOT EXISTS hendelse_slettes_ikke BEFORE DELETE ON hendelse
BEGIN SELECT RAISE(ABORT, 'en hendelse slettes aldri'); END;
CREATE TRIGGER IF NOT EXISTS melding_slettes_ikke BEFORE DELETE ON melding
BEGIN SELECT RAISE(ABORT, 'en melding slettes aldri'); END;
CREATE TRIGGER IF NOT EXISTS melding_fakta_endres_ikke BEFORE UPDATE OF id, slag, versjon, kilde, fra_fiks_org_id, fra_orgnr,
  integrasjon_id, til_fiks_org_id, kommune, bydel, ressurs_id, fakta_kanal, konto_id, innsendt, frist, oppbevar, mulig_dublett,
  utlopt_print, deler, sha_asice, sha_pdf, str_asice, str_pdf ON melding
BEGIN SELECT RAISE(ABORT, 'fakta om en melding endres aldri'); END;
