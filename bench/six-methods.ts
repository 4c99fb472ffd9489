/** The methods of the paper's comparison, so that rows mean the same whatever else is registered. */
import { full, h2o, type MethodFactory, pyramidKV, snapKV, streamingLLM, window } from "../src/index.ts";

export const sixMethods: readonly MethodFactory[] = [full, window, streamingLLM, h2o, snapKV, pyramidKV];
