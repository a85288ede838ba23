// How large a configuration file may be: far above what people write, far below what would stop weir for a second.

/** Of the text, in UTF-16 units. */
export const MOST_CHARACTERS = 1024 * 1024;
/** Maps and lists within each other. */
export const MOST_DEPTH = 48;
/** Values, with those that aliases repeat. */
export const MOST_NODES = 20_000;
/** Mistakes that are told of one file; more help nobody. */
export const MOST_PROBLEMS = 100;
/** Of any file that is read. What is larger was put there by mistake, and reading it would hold up the requests. */
export const MOST_FILE_BYTES = 16 * 1024 * 1024;
