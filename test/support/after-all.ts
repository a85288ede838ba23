// What all test files share is removed once the last of them has run: bunfig.toml loads this before the first.
import { afterAll } from "bun:test";
import { removeBinary } from "./binary.ts";

afterAll(removeBinary);
