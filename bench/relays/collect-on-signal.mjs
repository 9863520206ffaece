/** Loaded before a relay whose memory is measured: SIGUSR2 collects its garbage. Needs --expose-gc. */
process.on('SIGUSR2', () => globalThis.gc());
