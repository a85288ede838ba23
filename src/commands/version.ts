// `weir version`: what to write in a bug report.
import packageJson from "../../package.json" with { type: "json" };
import { type Command, EXIT } from "./invocation.ts";

export const VERSION: string = packageJson.version;

export const runVersion: Command = ({ out }) => {
  out(`weir ${VERSION} (Bun ${Bun.version}, ${process.platform} ${process.arch})\n`);
  return Promise.resolve(EXIT.fine);
};
