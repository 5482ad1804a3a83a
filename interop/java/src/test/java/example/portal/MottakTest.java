package example.portal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.ConnectException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.UUID;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** fiks-io-klient-java 3.5.0, unmodified, receives reports from the demo at 4601/02, where nobody else consumes. */
class MottakTest {
  private static final String MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1";
  private static final String FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1";

  private static Produsent produsent;
  private static Fagsystem fagsystem;
  private static Fagsystem.Mottatt fraGo;

  @BeforeAll
  static void start() throws Exception {
    produsent = new Produsent(Ark.tekst("/api"));
    fagsystem = new Fagsystem("4601", "02");
    fraGo = fagsystem.forste(); // the demo sent it at its start: sealed and signed by the project's own Go code
  }

  @AfterAll
  static void stopp() throws Exception {
    fagsystem.close();
  }

  private static UUID send(byte[] pdf) throws Exception {
    return produsent.send("4601", "02", produsent.forsegl("4601", "02", pdf));
  }

  private static void lesOgSjekk(Fagsystem.Mottatt m, byte[] pdf) throws Exception {
    File zip = Produsent.temp("mottatt");
    m.melding().writeDekryptertZip(zip.toPath()); // this call tells of every error; the stream call tells of none
    try (ZipFile z = new ZipFile(zip)) {
      assertArrayEquals(pdf, z.getInputStream(z.getEntry("bekymringsmelding.pdf")).readAllBytes());
      assertArrayEquals(Produsent.eksempelJson(), z.getInputStream(z.getEntry("bekymringsmelding.json")).readAllBytes());
      assertEquals(2, z.size());
    }
  }

  @Test
  void mottarDekryptererOgBekrefter() throws Exception {
    byte[] pdf = Produsent.pdf(20_000);
    UUID id = send(pdf);
    Fagsystem.Mottatt m = fagsystem.neste(id);
    assertEquals("no.ks.fiks.bekymringsmelding.offentlig.v1", m.melding().getMeldingType());
    assertEquals(Ark.mottaker("4601", "02").get("bydelRessursId").asText(), m.melding().getHeadere().get("bydel-ressurs-id"));
    assertEquals(Ark.tekst("/portalKontoId"), m.melding().getAvsenderKontoId().getUuid().toString()); // a receiver takes reports from it alone
    assertEquals(id.toString(), m.melding().getKlientKorrelasjonId().getKlientKorrelasjonId());
    assertNotNull(m.melding().getKlientMeldingId());
    assertTrue(m.melding().getTtl().toHours() >= 24, "TTL er tiden som er igjen til fristen");
    assertFalse(m.melding().isResendt());
    lesOgSjekk(m, pdf);
    m.svar().svar(MOTTATT);
    m.svar().ack();
    List<Produsent.Historikk> rader = produsent.ventPa(id, "LEVERT");
    assertEquals(List.of("AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"), rader.stream().map(Produsent.Historikk::tilstand).toList());
  }

  @Test
  void apnerDetGoHarForseglet() throws Exception {
    File zip = Produsent.temp("fra-go");
    fraGo.melding().writeDekryptertZip(zip.toPath()); // verifies manifest, digests and signature too
    try (ZipFile z = new ZipFile(zip)) {
      assertEquals(2, z.size());
      new com.fasterxml.jackson.databind.ObjectMapper().readTree(z.getInputStream(z.getEntry("bekymringsmelding.json")));
      assertEquals("%PDF", new String(z.getInputStream(z.getEntry("bekymringsmelding.pdf")).readNBytes(4), java.nio.charset.StandardCharsets.US_ASCII));
    }
    fraGo.svar().svar(MOTTATT);
    fraGo.svar().ack();
    produsent.ventPa(fraGo.id(), "LEVERT");
  }

  @Test
  void avviserMedFeilmelding() throws Exception {
    UUID id = send(Produsent.pdf(10_000));
    Fagsystem.Mottatt m = fagsystem.neste(id);
    m.svar().svar(FEILET, "{\"melding\": \"Fagsystemet kunne ikke lese meldingen (prøve)\"}", "feilmelding.json");
    m.svar().ack();
    List<Produsent.Historikk> rader = produsent.ventPa(id, "LEVERT");
    assertEquals(List.of("AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM", "SENDT_PRINT", "LEVERT"),
        rader.stream().map(Produsent.Historikk::tilstand).toList());
    assertTrue(operatorenSer(id).contains("svaret kunne leses"), "feilmeldingen fra Java kan leses med portalens nøkkel");
  }

  /** What `portal saker` shows of a report, beside the running demo. */
  private static String operatorenSer(UUID id) throws Exception {
    Process p = new ProcessBuilder(System.getProperty("portal"), "saker", "--dev", "--lager", System.getProperty("lager"), "--melding", id.toString())
        .redirectErrorStream(true).start();
    String ut = new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertEquals(0, p.waitFor(), ut);
    return ut;
  }

  @Test
  void nackGirIngenKvittering() throws Exception {
    UUID id = send(Produsent.pdf(5_000));
    fagsystem.neste(id).svar().nack();
    assertFalse(fagsystem.kommerIgjen(id, 3), "en avvist melding kommer ikke igjen");
    produsent.ventPa(id, "SENDT_FAGSYSTEM");
    assertEquals("SENDT_FAGSYSTEM", siste(id)); // nobody is told: the frist and the letter take care of it
  }

  @Test
  void leveresTreGangerOgIkkeMer() throws Exception {
    UUID id = send(Produsent.pdf(5_000));
    for (int i = 0; i < 3; i++) {
      Fagsystem.Mottatt m = fagsystem.neste(id);
      assertEquals(i > 0, m.melding().isResendt());
      m.svar().nackWithRequeue();
    }
    assertFalse(fagsystem.kommerIgjen(id, 3), "tre forsøk er alt");
    assertEquals("SENDT_FAGSYSTEM", siste(id)); // serverfeil is no rejection: the portal sends once more later
  }

  /** The broker is taken down, so that nobody listens, and up again at the same address with its queues: the built-in one, or RabbitMQ. */
  @Test
  void koblerTilIgjenEtterOmstartAvMegleren() throws Exception {
    int for0 = fagsystem.brudd.get();
    megler("stopp");
    fagsystem.ventPaBrudd(for0 + 1);
    assertThrows(ConnectException.class, () -> new Socket(Ark.tekst("/amqp/host"), Ark.felt("/amqp/port").asInt()).close());
    byte[] pdf = Produsent.pdf(8_000);
    UUID id = send(pdf); // accepted all the same
    megler("start");
    Fagsystem.Mottatt m = fagsystem.neste(id); // the client tries again every 5 s, and consumes with its old tag
    lesOgSjekk(m, pdf);
    m.svar().svar(MOTTATT);
    m.svar().ack();
    produsent.ventPa(id, "LEVERT");
    assertEquals(for0 + 1, fagsystem.brudd.get());
  }

  private static void megler(String hva) throws Exception {
    HttpResponse<Void> svar = HttpClient.newHttpClient().send(
        HttpRequest.newBuilder(URI.create(Ark.tekst("/fiks") + "/megler/" + hva)).POST(HttpRequest.BodyPublishers.noBody()).build(),
        HttpResponse.BodyHandlers.discarding());
    assertEquals(204, svar.statusCode(), "POST /megler/" + hva);
  }

  @Test
  void storMeldingKommerOverDokumentlager() throws Exception {
    byte[] pdf = Produsent.pdf(300_000); // over the demo's threshold in this run, 64 KiB
    UUID id = send(pdf);
    Fagsystem.Mottatt m = fagsystem.neste(id);
    assertTrue(m.melding().isHarPayload());
    lesOgSjekk(m, pdf);
    m.svar().svar(MOTTATT);
    m.svar().ack();
    produsent.ventPa(id, "LEVERT");
  }

  private static String siste(UUID id) {
    List<Produsent.Historikk> rader = produsent.status(id);
    return rader.get(rader.size() - 1).tilstand();
  }
}
