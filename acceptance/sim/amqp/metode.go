package amqp

import (
	"encoding/binary"
	"fmt"
)

// Methods as class<<16 | method, from the AMQP 0-9-1 XML and RabbitMQ's extensions.
const (
	klasseConnection = 10
	klasseChannel    = 20
	klasseExchange   = 40
	klasseQueue      = 50
	klasseBasic      = 60
	klasseConfirm    = 85
	klasseTx         = 90

	connectionStart     = klasseConnection<<16 | 10
	connectionStartOk   = klasseConnection<<16 | 11
	connectionTune      = klasseConnection<<16 | 30
	connectionTuneOk    = klasseConnection<<16 | 31
	connectionOpen      = klasseConnection<<16 | 40
	connectionOpenOk    = klasseConnection<<16 | 41
	connectionClose     = klasseConnection<<16 | 50
	connectionCloseOk   = klasseConnection<<16 | 51
	connectionBlocked   = klasseConnection<<16 | 60
	connectionUnblocked = klasseConnection<<16 | 61

	channelOpen    = klasseChannel<<16 | 10
	channelOpenOk  = klasseChannel<<16 | 11
	channelFlow    = klasseChannel<<16 | 20
	channelFlowOk  = klasseChannel<<16 | 21
	channelClose   = klasseChannel<<16 | 40
	channelCloseOk = klasseChannel<<16 | 41

	queueDeclare   = klasseQueue<<16 | 10
	queueDeclareOk = klasseQueue<<16 | 11

	basicQos          = klasseBasic<<16 | 10
	basicQosOk        = klasseBasic<<16 | 11
	basicConsume      = klasseBasic<<16 | 20
	basicConsumeOk    = klasseBasic<<16 | 21
	basicCancel       = klasseBasic<<16 | 30
	basicCancelOk     = klasseBasic<<16 | 31
	basicPublish      = klasseBasic<<16 | 40
	basicDeliver      = klasseBasic<<16 | 60
	basicGet          = klasseBasic<<16 | 70
	basicGetOk        = klasseBasic<<16 | 71
	basicGetEmpty     = klasseBasic<<16 | 72
	basicAck          = klasseBasic<<16 | 80
	basicReject       = klasseBasic<<16 | 90
	basicRecoverAsync = klasseBasic<<16 | 100
	basicRecover      = klasseBasic<<16 | 110
	basicRecoverOk    = klasseBasic<<16 | 111
	basicNack         = klasseBasic<<16 | 120
)

// Reply codes, AMQP 0-9-1 §1.1.
const (
	feilTvunget    = 320 // CONNECTION_FORCED
	feilNektet     = 403 // ACCESS_REFUSED
	feilMangler    = 404 // NOT_FOUND
	feilVilkar     = 406 // PRECONDITION_FAILED
	feilRamme      = 501 // FRAME_ERROR
	feilSyntaks    = 502 // SYNTAX_ERROR
	feilKommando   = 503 // COMMAND_INVALID
	feilKanal      = 504 // CHANNEL_ERROR
	feilUventet    = 505 // UNEXPECTED_FRAME
	feilRessurs    = 506 // RESOURCE_ERROR
	feilIkkeLov    = 530 // NOT_ALLOWED
	feilIkkeLaget  = 540 // NOT_IMPLEMENTED
	kvitteringOk   = 200
	tekstOk        = "OK"
	tekstIkkeLaget = "finnes ikke i denne megleren"
)

var kodenavn = map[uint16]string{
	feilTvunget: "CONNECTION_FORCED", feilNektet: "ACCESS_REFUSED", feilMangler: "NOT_FOUND", feilVilkar: "PRECONDITION_FAILED",
	feilRamme: "FRAME_ERROR", feilSyntaks: "SYNTAX_ERROR", feilKommando: "COMMAND_INVALID", feilKanal: "CHANNEL_ERROR",
	feilUventet: "UNEXPECTED_FRAME", feilRessurs: "RESOURCE_ERROR", feilIkkeLov: "NOT_ALLOWED", feilIkkeLaget: "NOT_IMPLEMENTED",
}

// feil is what a close method says. The text goes to the client and to no log.
type feil struct {
	kode  uint16
	tekst string
}

func nyFeil(kode uint16, tekst string, args ...any) *feil {
	if len(args) > 0 {
		tekst = fmt.Sprintf(tekst, args...)
	}
	return &feil{kode: kode, tekst: kodenavn[kode] + " - " + tekst}
}

func (f *feil) Error() string { return fmt.Sprintf("amqp: %d", f.kode) }

// kanalens says that the error closes a channel and spares the connection (AMQP 0-9-1 "soft-error").
func (f *feil) kanalens() bool {
	return f.kode == feilNektet || f.kode == feilMangler || f.kode == feilVilkar
}

// apneMetode appends the start of a method frame; lukkRamme ends it.
func apneMetode(b []byte, kanal uint16, metode uint32) []byte {
	return binary.BigEndian.AppendUint32(apneRamme(b, rammeMetode, kanal), metode)
}

// metoderamme is a whole method frame with the arguments given, each as it stands on the wire.
func metoderamme(kanal uint16, metode uint32, argumenter ...[]byte) []byte {
	b := apneMetode(nil, kanal, metode)
	for _, a := range argumenter {
		b = append(b, a...)
	}
	return lukkRamme(b, 0)
}

// lukkeramme is connection.close (channel 0) or channel.close for f, which method brought about.
func lukkeramme(kanal uint16, f *feil, metode uint32) []byte {
	lukk := uint32(connectionClose)
	if kanal != 0 {
		lukk = channelClose
	}
	b := binary.BigEndian.AppendUint16(apneMetode(nil, kanal, lukk), f.kode)
	return lukkRamme(binary.BigEndian.AppendUint32(leggKortStreng(b, f.tekst), metode), 0)
}

func tall32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

func kortStreng(s string) []byte { return leggKortStreng(nil, s) }
