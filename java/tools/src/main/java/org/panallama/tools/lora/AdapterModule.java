package org.panallama.tools.lora;

import org.jspecify.annotations.Nullable;
import org.panallama.tools.safetensors.SafetensorsTensor;

/**
 * What an adapter has for one tensor of the base: a low-rank pair, other numbers in its place, or both.
 *
 * @param name of the tensor in the base's checkpoint
 * @param pair null if there is none
 * @param saved null if there is none
 */
record AdapterModule(
        String name, @Nullable LowRank pair, @Nullable SafetensorsTensor saved) {}
