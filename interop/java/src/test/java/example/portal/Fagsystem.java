package example.portal;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import no.ks.fiks.io.client.FiksIOKlient;
import no.ks.fiks.io.client.FiksIOKlientFactory;
import no.ks.fiks.io.client.SvarSender;
import no.ks.fiks.io.client.konfigurasjon.AmqpKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.FiksApiKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.FiksIOKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.FiksIntegrasjonKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.IdPortenKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.KontoKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.VirksomhetssertifikatKonfigurasjon;
import no.ks.fiks.io.client.model.KontoId;
import no.ks.fiks.io.client.model.MottattMelding;

/** A receiving case system on KS's client, unmodified, configured from the connection sheet as docs/leverandor.md shows. */
final class Fagsystem implements AutoCloseable {
  record Mottatt(MottattMelding melding, SvarSender svar) {
    /** The report's own id, from the header KS documents. */
    UUID id() {
      return UUID.fromString(melding.getHeadere().get("bekymringsmelding-id"));
    }
  }

  private final FiksIOKlient klient;
  private final BlockingQueue<Mottatt> innboks = new LinkedBlockingQueue<>();
  final AtomicInteger brudd = new AtomicInteger();

  Fagsystem(String kommune, String bydel) throws Exception {
    JsonNode m = Ark.mottaker(kommune, bydel);
    URI fiks = URI.create(Ark.tekst("/fiks"));
    klient = new FiksIOKlientFactory(FiksIOKonfigurasjon.builder()
        .fiksApiKonfigurasjon(FiksApiKonfigurasjon.builder().scheme(fiks.getScheme()).host(fiks.getHost()).port(fiks.getPort()).build())
        .amqpKonfigurasjon(AmqpKonfigurasjon.builder().host(Ark.tekst("/amqp/host")).port(Ark.felt("/amqp/port").asInt()).build())
        .fiksIntegrasjonKonfigurasjon(FiksIntegrasjonKonfigurasjon.builder()
            .integrasjonId(UUID.fromString(m.get("integrasjonId").asText()))
            .integrasjonPassord(m.get("integrasjonPassord").asText())
            .idPortenKonfigurasjon(IdPortenKonfigurasjon.builder()
                .accessTokenUri(Ark.tekst("/maskinporten/tokenEndpoint"))
                .idPortenAudience(Ark.tekst("/maskinporten/issuer"))
                .klientId(m.get("klientId").asText())
                .build())
            .build())
        .kontoKonfigurasjon(KontoKonfigurasjon.builder()
            .kontoId(new KontoId(UUID.fromString(m.get("kontoId").asText())))
            .privatNokkel(Ark.nokkel(m.get("privatNokkel").asText()))
            .build())
        .virksomhetssertifikatKonfigurasjon(VirksomhetssertifikatKonfigurasjon.builder()
            .keyStore(Ark.lager(m)).keyStorePassword(Ark.PASSORD).keyAlias("nokkel").keyPassword(Ark.PASSORD)
            .build())
        .build()).build();
    klient.newSubscription((melding, svar) -> innboks.add(new Mottatt(melding, svar)), signal -> brudd.incrementAndGet());
  }

  /** The next delivery of one report; others are left to whoever asks for them. */
  Mottatt neste(UUID id) throws Exception {
    long frist = System.nanoTime() + 60_000_000_000L;
    while (System.nanoTime() < frist) {
      Mottatt m = innboks.poll(1, TimeUnit.SECONDS);
      if (m == null) {
        continue;
      }
      if (m.id().equals(id)) {
        return m;
      }
      innboks.add(m);
    }
    throw new AssertionError("meldingen " + id + " kom ikke");
  }

  /** Until the client has told of so many breaks. */
  void ventPaBrudd(int antall) throws Exception {
    long frist = System.nanoTime() + 30_000_000_000L;
    while (brudd.get() < antall) {
      if (System.nanoTime() > frist) {
        throw new AssertionError("klienten merket ikke bruddet");
      }
      Thread.sleep(50);
    }
  }

  /** The first delivery of all, whatever report it is. */
  Mottatt forste() throws Exception {
    Mottatt m = innboks.poll(60, TimeUnit.SECONDS);
    if (m == null) {
      throw new AssertionError("det kom ingen melding");
    }
    return m;
  }

  /** Whether the report comes once more within some seconds. */
  boolean kommerIgjen(UUID id, int sekunder) throws Exception {
    long frist = System.nanoTime() + sekunder * 1_000_000_000L;
    List<Mottatt> andre = new ArrayList<>();
    try {
      while (System.nanoTime() < frist) {
        Mottatt m = innboks.poll(200, TimeUnit.MILLISECONDS);
        if (m != null && m.id().equals(id)) {
          return true;
        }
        if (m != null) {
          andre.add(m);
        }
      }
      return false;
    } finally {
      innboks.addAll(andre);
    }
  }

  @Override
  public void close() throws Exception {
    klient.close();
  }
}
