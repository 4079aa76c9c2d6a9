// Runs a WebAssembly program of WASI: node run_wasm.js FILE
const { readFileSync } = require("node:fs");
const { WASI } = require("node:wasi");

const wasi = new WASI({ version: "preview1", returnOnExit: true });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
WebAssembly.instantiate(readFileSync(process.argv[2]), imports).then(({ instance }) => {
  process.exitCode = wasi.start(instance);
});
