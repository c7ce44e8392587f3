import type { KeyboardEvent } from "react";

/**
 * True for a key that belongs to a word being composed (Japanese, Chinese, Korean). Safari ends the composition before it
 * tells of the key that confirmed the word: only the old code 229 says so.
 */
export const isComposing = ({ nativeEvent }: KeyboardEvent): boolean =>
  nativeEvent.isComposing || nativeEvent.keyCode === 229;
