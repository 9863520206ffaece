/** Loaded before a relay whose memory is measured: SIGUSR2 collects its garbage and gives free pages back. Needs --expose-gc. */
process.on('SIGUSR2', () => globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }));
