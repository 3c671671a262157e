/** Something that is wrong with the system of the box now; of the shape that the board's have. */
export interface Fault {
  /** Stable name, such as `time:sync`. */
  id: string;
  severity: "warning" | "error";
  message: string;
  /** ISO 8601. */
  since: string;
}
