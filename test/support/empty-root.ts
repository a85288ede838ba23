// A root folder that holds a musl binary and what it loads, and nothing else: no /proc, no /etc, no /tmp, no shell.
// The image takes Alpine's libraries (.container/Dockerfile). Debian has musl but no libstdc++ for it, so this one is linked
// from the parts of Debian's own that the binary asks for, and from four symbols that glibc has and musl has not.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOADER = "/lib/ld-musl-x86_64.so.1";

/** Nothing that the binary asks for comes to any of these; they only let the linker close its books. */
const GLIBC_ONLY = `
char __libc_single_threaded;
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;
unsigned arc4random(void) { __builtin_trap(); }
int _dl_find_object(void *address, void *result) { return -1; }
`;

/** Fills `root`, which must not exist yet. */
export function makeEmptyRoot(binary: string, root: string): void {
  mkdirSync(join(root, "lib"), { recursive: true, mode: 0o755 });
  copyFileSync(binary, join(root, "weir"));
  copyFileSync(LOADER, join(root, LOADER));
  const shim = `${root}.c`;
  writeFileSync(shim, GLIBC_ONLY);
  const parts = ["libstdc++.a", "libgcc_eh.a", "libgcc.a"].map((name) =>
    output("gcc", `-print-file-name=${name}`),
  );
  output(
    "gcc",
    "-shared",
    "-fPIC",
    "-nostdlib",
    "-Wl,-z,defs",
    "-Wl,-soname,libstdc++.so.6",
    shim,
    ...wantedOfLibstdcxx(binary).map((symbol) => `-Wl,-u,${symbol}`),
    "-Wl,--start-group",
    ...parts,
    "-Wl,--end-group",
    LOADER,
    "-o",
    join(root, "lib/libstdc++.so.6"),
  );
}

/** The libraries that an ELF file names. */
export function librariesOf(file: string): readonly string[] {
  return [...output("readelf", "-d", file).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name = ""]) => name);
}

/** C++'s own names among the symbols that the binary lacks, and those it copies. */
function wantedOfLibstdcxx(binary: string): readonly string[] {
  const lacking = output("nm", "-D", "--undefined-only", "--format=posix", binary).split("\n");
  const copied = output("readelf", "-rW", binary)
    .split("\n")
    .filter((line) => line.includes("_COPY"));
  const names = [
    ...lacking.map((line) => line.split(/[ @]/)[0]),
    ...copied.map((line) => line.split(/[ @]+/)[4]),
  ];
  return names.filter(
    (name) => name !== undefined && /^(_Z|__cxa_(?!finalize|thread_atexit)|__dynamic_cast|__once)/.test(name),
  ) as string[];
}

function output(...command: readonly string[]): string {
  const run = Bun.spawnSync([...command]);
  if (run.exitCode !== 0)
    throw new Error(`cannot run ${command[0]}: ${run.stderr.toString().slice(0, 2000)}`);
  return run.stdout.toString().trim();
}
