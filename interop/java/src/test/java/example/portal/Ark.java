package example.portal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** The demo's connection sheet, read as a vendor would read it. -Ddemo names the file. */
final class Ark {
  static final String PASSORD = "bare-for-prover";
  private static final JsonNode ARK = les();

  private Ark() {}

  private static JsonNode les() {
    try {
      JsonNode ark = new ObjectMapper().readTree(Path.of(System.getProperty("demo")).toFile());
      stolPa(ark.at("/amqp/ca").asText());
      return ark;
    } catch (Exception e) {
      throw new IllegalStateException("-Ddemo=<sti til demo.json> mangler eller kan ikke leses", e);
    }
  }

  static JsonNode felt(String peker) {
    JsonNode n = ARK.at(peker);
    if (n.isMissingNode()) {
      throw new IllegalStateException("arket mangler " + peker);
    }
    return n;
  }

  static String tekst(String peker) {
    return felt(peker).asText();
  }

  static JsonNode mottaker(String kommune, String bydel) {
    for (JsonNode m : felt("/mottakere")) {
      if (m.get("kommunenummer").asText().equals(kommune) && m.get("bydelsnummer").asText().equals(bydel)) {
        return m;
      }
    }
    throw new IllegalStateException("arket mangler mottaker " + kommune + "/" + bydel);
  }

  static X509Certificate sertifikat(String fil) throws Exception {
    return sertifikatAv(Files.readString(Path.of(fil)));
  }

  static X509Certificate sertifikatAv(String pem) throws Exception {
    return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem.getBytes("UTF-8")));
  }

  static PrivateKey nokkel(String fil) throws Exception {
    String pem = Files.readString(Path.of(fil)).replaceAll("-----[A-Z ]+-----|\\s", "");
    return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
  }

  /** A key store in memory with one organisation's key and certificate, under the alias "nokkel". */
  static KeyStore lager(JsonNode hvem) throws Exception {
    KeyStore k = KeyStore.getInstance("PKCS12");
    k.load(null, null);
    k.setKeyEntry("nokkel", nokkel(hvem.get("privatNokkel").asText()), PASSORD.toCharArray(),
        new Certificate[] {sertifikat(hvem.get("sertifikat").asText())});
    return k;
  }

  /** Trust the demo's own CA, before the first TLS call: the one set-up a Java client needs. */
  private static void stolPa(String ca) throws Exception {
    KeyStore k = KeyStore.getInstance("PKCS12");
    k.load(null, null);
    k.setCertificateEntry("demo", sertifikat(ca));
    Path fil = Files.createTempFile("tillit", ".p12");
    fil.toFile().deleteOnExit();
    try (var ut = Files.newOutputStream(fil)) {
      k.store(ut, PASSORD.toCharArray());
    }
    System.setProperty("javax.net.ssl.trustStore", fil.toString());
    System.setProperty("javax.net.ssl.trustStoreType", "PKCS12");
    System.setProperty("javax.net.ssl.trustStorePassword", PASSORD);
  }
}
