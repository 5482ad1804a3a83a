package fikssim

// ErrServersertifikat is errServersertifikat.
var ErrServersertifikat = errServersertifikat
