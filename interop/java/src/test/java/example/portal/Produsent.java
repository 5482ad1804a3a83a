package example.portal;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import jakarta.ws.rs.client.Client;
import jakarta.ws.rs.client.ClientBuilder;
import jakarta.ws.rs.client.Entity;
import jakarta.ws.rs.client.Invocation;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.LocalDateTime;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import no.ks.fiks.io.asice.AsicHandler;
import no.ks.fiks.io.asice.AsicHandlerBuilder;
import no.ks.fiks.io.asice.model.KeystoreHolderBuilder;
import no.ks.fiks.io.asice.model.StreamContent;
import no.ks.fiks.maskinporten.AccessTokenRequest;
import no.ks.fiks.maskinporten.Maskinportenklient;
import no.ks.fiks.maskinporten.MaskinportenklientProperties;
import no.ks.kryptering.CMSKrypteringImpl;
import org.glassfish.jersey.jackson.internal.jackson.jaxrs.json.JacksonJsonProvider;
import org.glassfish.jersey.media.multipart.FormDataBodyPart;
import org.glassfish.jersey.media.multipart.FormDataContentDisposition;
import org.glassfish.jersey.media.multipart.FormDataMultiPart;
import org.glassfish.jersey.media.multipart.MultiPartFeature;

/**
 * A case system that sends reports with the libraries KS's producer client is built on. Its JSON mapper is as strict as that client's in
 * its README set-up: it throws on every member it does not know, and it reads times as LocalDateTime.
 */
final class Produsent {
  record Bydel(String bydelsnummer, String bydelsnavn, boolean standardMottaker) {}

  record Nokkel(String nokkel, LocalDateTime validFrom, LocalDateTime validTo, String serial, String subjectDN, String issuerDN) {}

  record Nokler(Nokkel printOffentligNokkel, Nokkel fiksIOOffentligNokkel) {}

  record Kvittering(UUID uuid) {}

  record Historikk(UUID bekymringsmeldingId, LocalDateTime tidspunkt, String tilstand, String beskrivelse) {}

  /** One sealed report: posted again it is the same, byte for byte. */
  record Forseglet(byte[] pdf, byte[] asice) {}

  private final String api;
  private final JsonNode hvem;
  private final Maskinportenklient maskinporten;
  private final Client klient;

  Produsent(String api) throws Exception {
    this.api = api;
    this.hvem = Ark.felt("/avsender");
    this.maskinporten = Maskinportenklient.builder()
        .withPrivateKey(Ark.nokkel(hvem.get("privatNokkel").asText()))
        .usingVirksomhetssertifikat(Ark.sertifikat(hvem.get("sertifikat").asText()))
        .withProperties(MaskinportenklientProperties.builder()
            .audience(Ark.tekst("/maskinporten/issuer"))
            .tokenEndpoint(Ark.tekst("/maskinporten/tokenEndpoint"))
            .issuer(hvem.get("klientId").asText())
            .numberOfSecondsLeftBeforeExpire(10)
            .timeoutMillis(10_000)
            .build())
        .build();
    ObjectMapper streng = new ObjectMapper().registerModule(new JavaTimeModule()).enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    this.klient = ClientBuilder.newBuilder().register(MultiPartFeature.class).register(new JacksonJsonProvider(streng)).build();
  }

  private Invocation.Builder kall(String sti) {
    String token = maskinporten.getAccessToken(AccessTokenRequest.builder().scope("ks:fiks").build());
    return klient.target(api + sti).request(MediaType.APPLICATION_JSON)
        .header("Authorization", "Bearer " + token)
        .header("IntegrasjonId", hvem.get("integrasjonId").asText())
        .header("IntegrasjonPassord", hvem.get("integrasjonPassord").asText());
  }

  List<Bydel> bydeler(String kommune) {
    return kall("/api/v1/kommuner/" + kommune + "/bydeler").get(new jakarta.ws.rs.core.GenericType<List<Bydel>>() {});
  }

  Nokler nokler(String kommune, String bydel) {
    return kall("/api/v1/mottak/fagsystem/" + kommune + "/" + bydel + "/krypteringsnokler").get(Nokler.class);
  }

  List<Historikk> status(UUID id) {
    return kall("/api/v1/mottak/fagsystem/" + hvem.get("fiksOrgId").asText() + "/bekymringsmelding/" + id + "/status")
        .get(new jakarta.ws.rs.core.GenericType<List<Historikk>>() {});
  }

  /** Seals a PDF of the size and the sample JSON, as KS's producer does: JSON first in the container, and the PDF once more for the printer. */
  Forseglet forsegl(String kommune, String bydel, byte[] pdf) throws Exception {
    Nokler n = nokler(kommune, bydel);
    X509Certificate print = Ark.sertifikatAv(n.printOffentligNokkel().nokkel());
    X509Certificate mottaker = Ark.sertifikatAv(n.fiksIOOffentligNokkel().nokkel());
    ExecutorService arbeidere = Executors.newCachedThreadPool();
    try (AsicHandler asice = AsicHandlerBuilder.create()
        .withExecutorService(arbeidere)
        .withPrivatNokkel(Ark.nokkel(hvem.get("privatNokkel").asText()))
        .withKeyStoreHolder(KeystoreHolderBuilder.create().withKeyStore(Ark.lager(hvem)).withKeyStorePassword(Ark.PASSORD)
            .withKeyAlias("nokkel").withKeyPassword(Ark.PASSORD).build())
        .build();
        var pakke = asice.encrypt(mottaker, List.of(
            new StreamContent(new ByteArrayInputStream(eksempelJson()), "bekymringsmelding.json"),
            new StreamContent(new ByteArrayInputStream(pdf), "bekymringsmelding.pdf")))) {
      return new Forseglet(new CMSKrypteringImpl().krypterData(pdf, print), pakke.readAllBytes());
    } finally {
      arbeidere.shutdown();
    }
  }

  Response svarPa(String kommune, String bydel, Forseglet f) {
    FormDataMultiPart kropp = new FormDataMultiPart();
    kropp.bodyPart(del("bekymringsmelding", "bekymringsmelding.pdf", f.pdf()));
    kropp.bodyPart(del("asice", "asice.zip", f.asice()));
    return kall("/api/v1/mottak/fagsystem/" + hvem.get("fiksOrgId").asText() + "/" + kommune + "/" + bydel + "/offentlig")
        .post(Entity.entity(kropp, kropp.getMediaType()));
  }

  UUID send(String kommune, String bydel, Forseglet f) {
    try (Response r = svarPa(kommune, bydel, f)) {
      return r.readEntity(Kvittering.class).uuid(); // as KS's client: the status is not looked at
    }
  }

  private static FormDataBodyPart del(String navn, String fil, byte[] innhold) {
    return new FormDataBodyPart(FormDataContentDisposition.name(navn).fileName(fil).build(), innhold, MediaType.APPLICATION_OCTET_STREAM_TYPE);
  }

  static byte[] eksempelJson() throws Exception {
    return Files.readAllBytes(Path.of("../../domain/skjema/testdata/eksempler/offentligBekymringsmeldingV1.json"));
  }

  /** Bytes that begin like a PDF: nobody on the way can look inside. */
  static byte[] pdf(int storrelse) {
    byte[] b = new byte[storrelse];
    new java.util.Random(storrelse).nextBytes(b);
    System.arraycopy("%PDF-1.7\n".getBytes(StandardCharsets.US_ASCII), 0, b, 0, 9);
    return b;
  }

  static File temp(String navn) throws Exception {
    File f = File.createTempFile(navn, ".zip");
    f.deleteOnExit();
    return f;
  }

  /** Waits until the sender sees a state, and gives the whole history. */
  List<Historikk> ventPa(UUID id, String tilstand) throws Exception {
    long frist = System.nanoTime() + 60_000_000_000L;
    List<Historikk> rader = List.of();
    while (System.nanoTime() < frist) {
      rader = status(id);
      if (rader.stream().anyMatch(r -> r.tilstand().equals(tilstand))) {
        return rader;
      }
      Thread.sleep(200);
    }
    throw new AssertionError("kom ikke til " + tilstand + ": " + rader);
  }
}
