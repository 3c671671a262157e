/* The slate clip: what the spec's encoders make of the loss picture and silence, as a recorded feed. */
#ifndef STEADYCAST_ENCODE_CLIP_H
#define STEADYCAST_ENCODE_CLIP_H

/** Makes `seconds` (1…60) of it from the spec in file `spec_path` into `out_path`, whole or not at all.
 *  Whole frames, the first one a key frame, times from box time 10 s on. Gives an exit code, and says on
 *  stderr what failed. */
int clip_make(const char *spec_path, const char *out_path, int seconds);

#endif
