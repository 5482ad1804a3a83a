package example.portal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.ws.rs.ProcessingException;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The producer API as KS's Java libraries call it. What they seal, the demo's case system at 4601/01 opens and verifies before it confirms. */
class ProdusentTest {
  @ParameterizedTest
  @ValueSource(strings = {"/api", "/apiTls"})
  void senderOgFolgerStatus(String adresse) throws Exception {
    Produsent p = new Produsent(Ark.tekst(adresse));
    List<Produsent.Bydel> bydeler = p.bydeler("4601");
    assertEquals(1, bydeler.stream().filter(Produsent.Bydel::standardMottaker).count());
    assertEquals(List.of(), p.bydeler("0301")); // exists, and is not activated
    UUID id = p.send("4601", "01", p.forsegl("4601", "01", Produsent.pdf(50_000)));
    List<Produsent.Historikk> rader = p.ventPa(id, "LEVERT");
    assertEquals(List.of("AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"), rader.stream().map(Produsent.Historikk::tilstand).toList());
    rader.forEach(r -> assertEquals(id, r.bekymringsmeldingId()));
  }

  @Test
  void feilGirUnntakOgAldriEnUuid() throws Exception {
    Produsent p = new Produsent(Ark.tekst("/api"));
    Produsent.Forseglet f = p.forsegl("4601", "01", Produsent.pdf(1_000));
    assertThrows(ProcessingException.class, () -> p.send("4601", "77", f)); // unknown bydel
    assertThrows(ProcessingException.class, () -> p.send("4204", "00", f)); // sealed for another receiver
  }

  @Test
  void forStorMeldingGirEt413SomKlientenSer() throws Exception {
    Produsent p = new Produsent(Ark.tekst("/api"));
    byte[] stor = new byte[6_000_000];
    try (Response r = p.svarPa("4601", "01", new Produsent.Forseglet(stor, stor))) {
      assertEquals(413, r.getStatus());
      assertTrue(r.readEntity(String.class).contains("FOR_STOR"));
    }
  }

  /** The JDK sends an unanswered POST once more by itself: the portal took both, and there is one report. */
  @Test
  void jdkGjentarEnPostSomIkkeBleBesvart() throws Exception {
    try (Kutter kutter = new Kutter(URI.create(Ark.tekst("/api")))) {
      Produsent direkte = new Produsent(Ark.tekst("/api"));
      Produsent.Forseglet f = direkte.forsegl("4601", "01", Produsent.pdf(3_000));
      Produsent gjennom = new Produsent("http://127.0.0.1:" + kutter.port() + URI.create(Ark.tekst("/api")).getPath());
      UUID forste = gjennom.send("4601", "01", f);
      assertEquals(2, kutter.poster.get());
      assertEquals(forste, direkte.send("4601", "01", f)); // and a third time
      direkte.ventPa(forste, "LEVERT");
      assertNotEquals(forste, direkte.send("4601", "01", direkte.forsegl("4601", "01", Produsent.pdf(3_000)))); // sealed anew is a new report
    }
  }

  /** Passes bytes on, and closes the first connection that carries a POST after the portal has answered and before the client hears of it. */
  private static final class Kutter implements AutoCloseable {
    final AtomicInteger poster = new AtomicInteger();
    private final ServerSocket lytter = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    private final URI til;

    Kutter(URI til) throws Exception {
      this.til = til;
      Thread t = new Thread(this::lytt);
      t.setDaemon(true);
      t.start();
    }

    int port() {
      return lytter.getLocalPort();
    }

    private void lytt() {
      while (!lytter.isClosed()) {
        try {
          Socket inn = lytter.accept();
          Thread t = new Thread(() -> koble(inn));
          t.setDaemon(true);
          t.start();
        } catch (Exception e) {
          return;
        }
      }
    }

    private void koble(Socket inn) {
      try (inn; Socket ut = new Socket(til.getHost(), til.getPort())) {
        byte[] start = new byte[5];
        InputStream fra = inn.getInputStream();
        int n = fra.readNBytes(start, 0, 5);
        boolean kutt = new String(start, 0, n).startsWith("POST") && poster.incrementAndGet() == 1;
        Thread opp = new Thread(() -> {
          try {
            OutputStream o = ut.getOutputStream();
            o.write(start, 0, n);
            fra.transferTo(o);
          } catch (Exception e) {
            // the other side is gone
          }
        });
        opp.setDaemon(true);
        opp.start();
        if (kutt) {
          ut.getInputStream().read(); // the portal has stored it and begins to answer
          return;
        }
        ut.getInputStream().transferTo(inn.getOutputStream());
      } catch (Exception e) {
        // the other side is gone
      }
    }

    @Override
    public void close() throws Exception {
      lytter.close();
    }
  }
}
