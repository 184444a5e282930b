package org.panallama;

/**
 * What came of an answer since the last one: a piece of one of its parts.
 *
 * @param content piece of the text; empty for none
 * @param reasoning piece of the thoughts; empty for none
 * @param toolCall index of the call that {@code id}, {@code name} and {@code arguments} belong to, -1 for none
 * @param id of the call, with its first piece
 * @param name of the tool, with its first piece
 * @param arguments piece of the call's arguments
 */
public record ChatDelta(String content, String reasoning, int toolCall, String id, String name, String arguments) {}
